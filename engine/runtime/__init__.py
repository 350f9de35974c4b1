"""Running a pack: sessions, the decoding loop, the KV cache, sampling, tokens and templates."""
