//! Settings of nodes that form a quorum.

use std::net::TcpListener;

/// The `server.properties` of nodes 1 to `count`, each broker and controller, with data in `data` of its working directory.
pub fn quorum_properties(count: i32) -> Vec<(i32, String)> {
    let ports: Vec<(i32, u16)> = (1..).zip(free_ports(count)).collect();
    let voters: Vec<String> = ports.iter().map(|(id, port)| format!("{id}@127.0.0.1:{port}")).collect();
    let voters = voters.join(",");
    let properties = |(id, port)| {
        let text = format!(
            "process.roles=broker,controller\nnode.id={id}\ncontroller.quorum.voters={voters}\n\
             listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\nlog.dirs=data\n"
        );
        (id, text)
    };
    ports.into_iter().map(properties).collect()
}

/// A node of a quorum whose voters come and go.
#[derive(Clone, Debug)]
pub struct JoiningNode {
    /// `node.id`.
    pub id: i32,
    /// Of its controller listener.
    pub port: u16,
    /// Its `server.properties`, with data in `data` of its working directory.
    pub properties: String,
}

/// Nodes 1 to `count`, each broker and controller. The first begins alone, the others find it.
pub fn joining_nodes(count: i32) -> Vec<JoiningNode> {
    let ports = free_ports(count);
    let first = ports[0];
    let node = |(id, port): (i32, u16)| {
        let properties = format!(
            "process.roles=broker,controller\nnode.id={id}\n\
             controller.quorum.bootstrap.servers=127.0.0.1:{first}\n\
             listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\nlog.dirs=data\n\
             offsets.topic.num.partitions=3\noffsets.topic.replication.factor=1\n"
        );
        JoiningNode { id, port, properties }
    };
    (1..).zip(ports).map(node).collect()
}

/// Ports that were free a moment ago: nodes have to know each other's beforehand.
fn free_ports(count: i32) -> Vec<u16> {
    let free: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    free.iter().map(|listener| listener.local_addr().expect("an address").port()).collect()
}
