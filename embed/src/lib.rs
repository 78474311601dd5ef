//! A photo in, face embeddings out; builds and searches galleries of faces.
