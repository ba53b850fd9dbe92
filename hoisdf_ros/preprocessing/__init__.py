"""Where hand and object are, in pixels and metres, and the crop that the network sees."""
