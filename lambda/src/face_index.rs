//! Where the faces of the gallery are searched: in this process, or by the index service.

use std::future;

use embed::{Embedding, Gallery, LookAlike};
use futures_util::future::BoxFuture;

use crate::problem::Problem;

/// The faces of a gallery, wherever they are.
pub(crate) trait FaceIndex: Send + Sync {
    /// The `k` people who look most like `face`, each once, best first.
    fn lookalikes<'a>(
        &'a self,
        face: &'a Embedding,
        k: usize,
    ) -> BoxFuture<'a, Result<Vec<LookAlike>, Problem>>;

    /// How many photos there are to be searched now.
    fn photos(&self) -> BoxFuture<'_, Result<usize, Problem>>;
}

/// Searched on the caller's thread: it takes less time than to hand it to another one and back.
impl FaceIndex for Gallery {
    fn lookalikes<'a>(
        &'a self,
        face: &'a Embedding,
        k: usize,
    ) -> BoxFuture<'a, Result<Vec<LookAlike>, Problem>> {
        let found = Gallery::lookalikes(self, face, k).map_err(Problem::internal);
        Box::pin(future::ready(found))
    }

    fn photos(&self) -> BoxFuture<'_, Result<usize, Problem>> {
        Box::pin(future::ready(Ok(self.len())))
    }
}
