"""Statistics of benchmark tables: frames in, frames out; no table class, no files, no figures."""
