"""Finding hands in an image: MediaPipe's palm and landmark networks (Apache-2.0), run by us."""
