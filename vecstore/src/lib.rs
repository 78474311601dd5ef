//! An embedded, durable, on-disk HNSW vector store.
