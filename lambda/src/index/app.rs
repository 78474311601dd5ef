//! The service: which handler answers which path, and how it starts and ends.

use std::future;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task;
use utoipa::openapi as oas;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config as DocsConfig, SwaggerUi};

use super::collections::{Collections, OpenError};
use super::json::Bodies;
use super::keys::{Access, Keys};
use super::metrics::{self, Metrics};
use super::{Settings, catalog, records, search, snapshot};
use crate::app::around;
use crate::openapi::{self, refusals};
use crate::problem::{self as problems, Kind, Problem};
use crate::serve::{ServeError, listen};

/// How many changes may run or wait at once.
const MAX_CHANGES: usize = 64;

/// What the handlers share; a clone for each request costs next to nothing.
#[derive(Clone)]
pub(super) struct Index(Arc<Parts>);

/// What an [`Index`] is made of.
pub(super) struct Parts {
    /// Empty until all are open.
    collections: OnceLock<Collections>,
    keys: Keys,
    changes: Arc<Semaphore>,
    pub(super) bodies: Bodies,
    pub(super) metrics: Metrics,
}

impl Deref for Index {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Why the service does not serve, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotServing {
    /// A collection cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Threads cannot be started.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// Serves the collections until the process is told to stop; then makes a checkpoint of each.
///
/// It listens at once and says at `/readyz` when all collections are open.
///
/// # Errors
///
/// When a collection cannot be opened, or the address is taken or not ours.
pub fn serve(settings: &Settings) -> Result<(), NotServing> {
    let index = Index::new(settings);
    if settings.write_key.is_none() {
        tracing::warn!("no WRITE_KEY: whoever reaches this service may change what it holds");
    }
    let address = SocketAddr::new(settings.host, settings.port);
    let (opening, folder) = (index.clone(), settings.data.clone());
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        let opening = task::spawn_blocking(move || -> Result<(), OpenError> {
            let collections = Collections::open(&folder)?;
            tracing::info!(collections = collections.all().len(), "ready");
            opening.collections.get_or_init(|| collections);
            Ok(())
        });
        let failed = async {
            match opening.await {
                Ok(Err(error)) => error,
                // Ready, or cut short because the process ends.
                _ => future::pending().await,
            }
        };
        tokio::select! {
            served = listen(index.router(), address) => served.map_err(NotServing::from),
            error = failed => Err(error.into()),
        }
    })?;
    if let Some(collections) = index.collections.get() {
        collections.checkpoint();
    }
    Ok(())
}

impl Index {
    fn new(settings: &Settings) -> Self {
        Self(Arc::new(Parts {
            collections: OnceLock::new(),
            keys: Keys::new(settings),
            changes: Arc::new(Semaphore::new(MAX_CHANGES)),
            bodies: Bodies::new(),
            metrics: Metrics::new(),
        }))
    }

    fn router(&self) -> Router {
        let (routes, description) = OpenApiRouter::with_openapi(Description::openapi())
            .routes(routes!(catalog::list))
            .routes(routes!(catalog::create, catalog::describe, catalog::delete))
            .routes(routes!(records::upsert))
            .routes(routes!(records::read, records::delete))
            .routes(routes!(search::search))
            .routes(routes!(snapshot::snapshot))
            .routes(routes!(healthz))
            .routes(routes!(readyz))
            .routes(routes!(metrics))
            .routes(routes!(openapi::document))
            .split_for_parts();
        let docs = SwaggerUi::new("/docs").config(DocsConfig::from("/openapi.json"));
        let routes = routes
            .merge(docs)
            .fallback(async |request: Request| Problem::not_found(request.uri().path()));
        let metrics = self.metrics.clone();
        around(routes, description, move |answered| metrics.count(answered))
            .with_state(self.clone())
    }

    /// The collections, once they are open.
    pub(super) fn collections(&self) -> Result<&Collections, Problem> {
        self.collections.get().ok_or_else(|| {
            Problem::new(Kind::NotReady, "The collections are being opened; try again in a moment.")
        })
    }

    /// The collections, for whoever shows the key that it takes.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        access: Access,
    ) -> Result<&Collections, Problem> {
        self.keys.admit(headers, access)?;
        self.collections()
    }

    /// Does something that waits for the disk, on a thread that may; a bounded number at once.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Collections) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.changes).try_acquire_owned().map_err(|_| {
            Problem::new(Kind::TooBusy, "Too many changes are waiting; try again in a moment.")
        })?;
        let index = self.clone();
        let done = task::spawn_blocking(move || {
            let _place = place;
            work(index.collections()?)
        });
        done.await.map_err(Problem::internal)?
    }
}

/// What the description says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Index API",
        description = "Collections of vectors: put them in, search for the nearest.\n\n\
            Every error is a problem document (RFC 9457) whose `type` is stable. A path that is \
            not listed answers 404 `/problems/not-found`, a method that is not listed 405 \
            `/problems/method-not-allowed` with the header `Allow`. What is not HTTP is answered \
            400, a head of more than 32 KiB or 64 headers 431, a path that is too long 414, each \
            without a body. Where there are too many connections, any path answers 503 \
            `/problems/too-busy`. A head that takes longer than 15 s ends the connection."
    ),
    components(schemas(problems::Document, Kind)),
    modifiers(&BearerKey)
)]
struct Description;

/// Names the way in which keys are shown.
struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, openapi: &mut oas::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let scheme = scheme.description(Some("The key for reading or for writing"));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme.build()));
    }
}

/// The state of the service.
#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Does the process answer?
#[utoipa::path(get, path = "/healthz", responses((status = OK, body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

refusals!(NotReady: NotReady);

/// Are all collections open?
#[utoipa::path(get, path = "/readyz", responses((status = OK, body = Health), NotReady))]
async fn readyz(State(index): State<Index>) -> Result<Json<Health>, Problem> {
    index.collections()?;
    Ok(Json(Health { status: "ready" }))
}

refusals!(MetricsRefusals: Unauthorized);

/// Counts of requests and vectors, for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    responses(
        (status = OK, description = "OpenMetrics text", body = String,
         content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        MetricsRefusals
    ),
    security(("key" = []))
)]
async fn metrics(State(index): State<Index>, headers: HeaderMap) -> Result<Response, Problem> {
    index.keys.admit(&headers, Access::Read)?;
    let text = index.metrics.text(index.collections.get());
    Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}
