//! What runs by itself, or when asked.
