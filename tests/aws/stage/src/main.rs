//! What the deployed stack is played against: both simulators, the road from them to the deployed API, and a door for the director.
//!
//! `POST /act` takes one [`act::Act`] as JSON and answers what there is to see; the two webhook paths lead to the deployed API. The
//! first line of standard output says where everything is.

mod act;
mod road;
mod scene;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{any, post},
};
use scene::Scene;
use serde_json::Value;
use std::sync::Arc;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let scene = Arc::new(Scene::set().await);
    print(&scene.program(&here));
    let app = Router::new()
        .route("/act", post(act))
        .route("/telegram-webhook", any(road::forward))
        .route("/intercom-webhook", any(road::forward))
        .with_state(scene);
    axum::serve(listener, app).await
}

async fn act(State(scene): State<Arc<Scene>>, Json(act): Json<act::Act>) -> Result<Json<Value>, (StatusCode, String)> {
    match act.perform(&scene).await {
        Ok(seen) => Ok(Json(seen)),
        Err(problem) => Err((StatusCode::UNPROCESSABLE_ENTITY, problem)),
    }
}

#[expect(clippy::print_stdout, reason = "this line is what the program is asked for")]
fn print(program: &Value) {
    println!("{program}");
}
