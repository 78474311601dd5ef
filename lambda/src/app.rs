//! The application: which handler answers which path.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::{Extension, Json, Router, middleware};
use embed::Gallery;
use serde::Serialize;
use tokio::sync::SetOnce;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::clients::Clients;
use crate::finder::Finder;
use crate::observe::{Answered, REQUEST_ID, observe};
use crate::open::Opened;
use crate::openapi::{self, Description, refusals};
use crate::photo_body::PhotoBodies;
use crate::problem::{Kind, Problem};
use crate::settings::Settings;
use crate::site::{NoSite, Site};
use crate::workers::Workers;
use crate::{lookalikes, people, portraits, source};

/// How long a photo waits for the networks and the gallery to be opened.
const OPENING: Duration = Duration::from_secs(10);

/// How long a browser may remember which other sites may call.
const CORS_MAX_AGE: Duration = Duration::from_secs(3600);

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    opened: Arc<SetOnce<Opened>>,
    pub(crate) workers: Workers,
    pub(crate) bodies: PhotoBodies,
    pub(crate) clients: Clients,
    pub(crate) portraits: PathBuf,
}

impl App {
    /// Nothing is opened yet.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            opened: Arc::default(),
            workers: Workers::new(settings.worker_count()),
            bodies: PhotoBodies::new(Finder::max_bytes()),
            clients: Clients::new(settings),
            portraits: Gallery::portraits_in(&settings.store),
        }
    }

    /// Photos are answered from now on.
    pub(crate) fn open(&self, opened: Opened) {
        // What is opened stays.
        let _ = self.opened.set(opened);
    }

    /// What is open, when it is.
    pub(crate) async fn opened(&self) -> Result<&Opened, Problem> {
        tokio::time::timeout(OPENING, self.opened.wait()).await.map_err(|_| not_ready())
    }

    /// The whole service as one router, for hyper and for AWS Lambda alike.
    ///
    /// # Errors
    ///
    /// When the folder of the page is not there.
    pub(crate) fn router(&self, settings: &Settings) -> Result<Router, NoSite> {
        let site = Site::new(settings.site_dir.as_deref())?;
        let (routes, description) = OpenApiRouter::with_openapi(Description::openapi())
            .routes(routes!(lookalikes::lookalikes))
            .routes(routes!(people::person))
            .routes(routes!(portraits::portrait))
            .routes(routes!(healthz))
            .routes(routes!(readyz))
            .routes(routes!(openapi::document))
            .routes(routes!(source::source))
            .split_for_parts();
        let routes = routes.fallback(|request| site.answer(request));
        // The page's text shrinks to a third; photos are left as they are.
        let app = around(routes, description, |_| ())
            .with_state(self.clone())
            .layer(CompressionLayer::new());
        Ok(match &settings.cors_origins[..] {
            [] => app,
            origins => app.layer(cors(origins)),
        })
    }
}

/// Lets pages of other sites call the API.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, REQUEST_ID])
        .max_age(CORS_MAX_AGE)
}

fn not_ready() -> Problem {
    Problem::new(Kind::NotReady, "The gallery is being opened; try again in a moment.")
}

/// What every service of this crate does around its routes; `count` is told of each answer.
pub(crate) fn around<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    description: utoipa::openapi::OpenApi,
    count: impl Fn(&Answered<'_>) + Clone + Send + Sync + 'static,
) -> Router<S> {
    let observe = move |request, next| observe(request, next, count.clone());
    routes
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer((middleware::from_fn(observe), Extension(Arc::new(description))))
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

/// What can be searched.
#[derive(Serialize, ToSchema)]
struct Readiness {
    #[schema(example = "ready")]
    status: &'static str,
    /// How many photos the gallery holds.
    photos: usize,
}

refusals!(Unready: NotReady, IndexUnavailable);

/// Are the networks open, and the gallery, and the index service if that is where it is?
#[utoipa::path(get, path = "/readyz", responses((status = OK, body = Readiness), Unready))]
async fn readyz(State(app): State<App>) -> Result<Json<Readiness>, Problem> {
    let opened = app.opened.get().ok_or_else(not_ready)?;
    Ok(Json(Readiness { status: "ready", photos: opened.faces.photos().await? }))
}
