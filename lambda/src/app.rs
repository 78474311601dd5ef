//! The application: which handler answers which path.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json, Router, middleware};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::finder::Finder;
use crate::openapi::{self, Description};
use crate::photo_body::PhotoBodies;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::site::{NoSite, Site};
use crate::workers::Workers;
use crate::{headers, lookalikes, people, portraits, source};

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) finder: Arc<Finder>,
    pub(crate) workers: Workers,
    pub(crate) bodies: PhotoBodies,
}

/// The whole service as one router, for hyper and for AWS Lambda alike.
///
/// # Errors
///
/// When the folder of the page is not there.
pub fn router(finder: Finder, settings: &Settings) -> Result<Router, NoSite> {
    let app = App {
        bodies: PhotoBodies::new(finder.max_bytes()),
        workers: Workers::new(settings.worker_count()),
        finder: Arc::new(finder),
    };
    let site = Site::new(settings.site_dir.as_deref())?;
    let (routes, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(lookalikes::lookalikes))
        .routes(routes!(people::person))
        .routes(routes!(portraits::portrait))
        .routes(routes!(healthz))
        .routes(routes!(openapi::document))
        .routes(routes!(source::source))
        .split_for_parts();
    let routes = routes.fallback(|request| site.answer(request));
    // The page's text shrinks to a third; photos are left as they are.
    Ok(around(routes, description).with_state(app).layer(CompressionLayer::new()))
}

/// What every service of this crate does around its routes.
pub(crate) fn around<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    description: utoipa::openapi::OpenApi,
) -> Router<S> {
    routes
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(Extension(Arc::new(description)))
        .layer(CatchPanicLayer::custom(|_| Problem::internal("a handler panicked").into_response()))
        .layer(middleware::map_response(headers::secure))
}

/// The state of the service.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`: the service answers only once the networks and the gallery are open.
    #[schema(example = "ok")]
    status: &'static str,
    /// How many photos the gallery holds.
    photos: usize,
}

/// Is the service up?
#[utoipa::path(get, path = "/healthz", responses((status = OK, body = Health)))]
async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(Health { status: "ok", photos: app.finder.photos() })
}
