//! The views beside the API.
