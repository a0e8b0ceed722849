"""A cluster read from manifests: files, folders and standard input, for planning offline."""
