//! Settings of nodes that form a quorum.

use std::net::TcpListener;

/// The `server.properties` of nodes 1 to `count`, each broker and controller, with data in `data` of its working directory.
pub fn quorum_properties(count: i32) -> Vec<(i32, String)> {
    // Voters have to know each other's ports beforehand: those that were free a moment ago.
    let free: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    let ports = free.iter().map(|listener| listener.local_addr().expect("an address").port());
    let ports: Vec<(i32, u16)> = (1..).zip(ports).collect();
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
