//! A socket that is bound and listening, and whether TLS is spoken on it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use super::tls::Tls;

/// Connections the kernel holds for us while we are at the connection bound or busy. Too low: bursts of agents that
/// all reconnect at once are refused.
const BACKLOG: u32 = 1024;

#[derive(Debug)]
pub struct Listener {
    pub tcp: TcpListener,
    pub tls: Option<Arc<Tls>>,
}

impl Listener {
    /// # Errors
    /// When the address is taken or not ours.
    pub fn bind(address: SocketAddr, tls: Option<Arc<Tls>>) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait until the connections of the last run are forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { tcp: socket.listen(BACKLOG)?, tls })
    }

    /// # Errors
    /// When the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
