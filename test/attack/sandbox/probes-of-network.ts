import type { Ground } from './ground.js';
import { type Probe, tries, triesPython } from './probe.js';

/** Reaching anything that listens, by every way that there is. */
export function toNetworkProbes({ tcpPort, udpPort, address, abstract, socketInHidden, socketInGiven, token }: Ground): readonly Probe[] {
  const connect = (name: string, to: string, port: number, control: Probe['control'] = 'plain') => triesPython('network', name, `s = socket.create_connection(("${to}", ${port}), 3)\nok(s.recv(64).decode().strip() == "${token}")`, control);
  const unix = (name: string, path: string) => triesPython('network', name, `s = socket.socket(socket.AF_UNIX)\ns.connect(${path})`);
  return [
    connect('connects to a service on loopback', '127.0.0.1', tcpPort),
    connect('connects to a service on loopback by its name', 'localhost', tcpPort),
    connect('connects to a service of the machine by its address', address, tcpPort),
    connect('connects to a service by IPv6', '::ffff:127.0.0.1', tcpPort),
    connect('connects to any address', '0.0.0.0', tcpPort),
    tries('network', 'connects by the shell', `exec 3<>/dev/tcp/127.0.0.1/${tcpPort} && read -r line <&3 && [ "$line" = ${token} ]`),
    tries('network', 'sends a packet by the shell', `echo x >/dev/udp/127.0.0.1/${udpPort}`),
    triesPython('network', 'sends a packet', `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nok(s.sendto(b"x", ("127.0.0.1", ${udpPort})) == 1)`),
    // Without the sandbox these would go where the machine's network leads.
    ...['169.254.169.254', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254'].map((metadata) => triesPython('network', `asks the metadata service at ${metadata}`, `f = socket.AF_INET6 if ":" in "${metadata}" else socket.AF_INET\ns = socket.socket(f, socket.SOCK_DGRAM)\ns.connect(("${metadata}", 80))`, 'whereItIs')),
    triesPython('network', 'looks a name up', 'socket.getaddrinfo("sluice.example.com", 80)', null),
    triesPython('network', 'sends a DNS question', `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nok(s.sendto(b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x01a\\x00\\x00\\x01\\x00\\x01", ("127.0.0.1", ${udpPort})) > 0)`),
    triesPython('network', 'listens', 's = socket.socket()\ns.bind(("0.0.0.0", 0))\ns.listen()'),
    triesPython('network', 'asks the kernel for its interfaces', 's = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)'),
    triesPython('network', 'opens a raw socket', 's = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)', 'whereItIs'),
    triesPython('network', 'opens a packet socket', 's = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)', 'whereItIs'),
    triesPython('network', 'speaks to the hypervisor', 's = socket.socket(40, socket.SOCK_STREAM)', 'whereItIs'),
    triesPython('network', 'uses the crypto sockets of the kernel', 's = socket.socket(38, socket.SOCK_SEQPACKET)', 'whereItIs'),
    triesPython('network', 'uses Bluetooth', 's = socket.socket(31, socket.SOCK_RAW, 1)', 'whereItIs'),
    triesPython('network', 'opens a TIPC socket', 's = socket.socket(30, socket.SOCK_STREAM)', 'whereItIs'),
    triesPython('network', 'sees an interface other than loopback', 'ok(any(not line.strip().startswith("lo:") for line in open("/proc/net/dev").readlines()[2:]))', 'whereItIs'),
    triesPython('network', 'sees the sockets of the machine', 'ok(len(open("/proc/net/unix").readlines()) > 1)'),
    unix('connects to an abstract socket', `"\\0${abstract}"`),
    unix('connects to a socket in a folder that it was not given', `"${socketInHidden}"`),
    unix('connects to a socket in its own folder', `"${socketInGiven}"`),
    triesPython('network', 'aims a pair of sockets at a socket in its folder', `a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)`),
    triesPython('network', 'connects a pair of sockets anew', `a, b = socket.socketpair()\nimport errno\ntry:\n  a.connect("${socketInGiven}")\nexcept OSError as e:\n  ok(e.errno == errno.EISCONN)`),
    tries('network', 'finds a socket of a service', '[ -e /run/docker.sock ] || [ -e /var/run/docker.sock ] || [ -e /run/dbus/system_bus_socket ] || [ -e /run/systemd/private ]', 'whereItIs'),
  ];
}
