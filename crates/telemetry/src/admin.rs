//! The admin HTTP listener: `/metrics`, `/livez`, `/readyz`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Health, Registry};

/// Why the admin listener cannot start.
#[derive(Debug, Error)]
#[error("admin.listener {address}: {source}; choose a free port and an address of this machine")]
pub struct AdminError {
    /// What was given.
    pub address: String,
    /// Why.
    pub source: io::Error,
}

/// A serving admin listener; closed when dropped.
#[derive(Debug)]
pub struct AdminServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl AdminServer {
    /// Listens on `address` (`host:port`; port 0 lets the system choose) and serves in a task of its own.
    pub async fn start(
        address: &str,
        registry: Arc<Registry>,
        health: Arc<Health>,
    ) -> Result<Self, AdminError> {
        let failed = |source| AdminError { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let router = router(registry, health);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!("admin listener {bound}: {error}");
            }
        });
        Ok(Self { address: bound, task })
    }

    /// The address bound, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(registry: Arc<Registry>, health: Arc<Health>) -> Router {
    Router::new()
        .route("/metrics", get(metrics).with_state(registry))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(health))
}

async fn metrics(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], registry.render())
}

async fn readyz(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], health.to_json() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProcessMetrics;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn get(server: &AdminServer, path: &str) -> String {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn metrics_livez_and_readyz_answer() {
        let (registry, health) = (Registry::new(), Health::new());
        registry.add(Arc::new(ProcessMetrics::new()));
        let recovery = health.condition("log recovery", "0 of 3 partitions");
        let server = AdminServer::start("127.0.0.1:0", registry, health).await.unwrap();
        assert!(get(&server, "/metrics").await.contains("\nprocess_resident_memory_bytes "));
        assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 200 OK"));
        let waiting = get(&server, "/readyz").await;
        assert!(waiting.starts_with("HTTP/1.1 503 ") && waiting.contains("0 of 3 partitions"), "{waiting}");
        recovery.ready();
        assert!(get(&server, "/readyz").await.starts_with("HTTP/1.1 200 OK"));
        assert!(get(&server, "/nothing").await.starts_with("HTTP/1.1 404 "));
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let server = AdminServer::start("127.0.0.1:0", Registry::new(), Health::new()).await.unwrap();
        let address = server.local_addr().to_string();
        let error =
            AdminServer::start(&address, Registry::new(), Health::new()).await.unwrap_err().to_string();
        assert!(
            error.contains(&format!("admin.listener {address}")) && error.contains("free port"),
            "{error}"
        );
    }
}
