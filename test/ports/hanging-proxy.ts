import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can stop answering without closing, as a lost network does. */
export async function openHangingProxy(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let open: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('close', () => upstream.destroy());
    open.push(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const proxied = new URL(url);
  proxied.host = `127.0.0.1:${address.port}`;
  return {
    url: proxied.href,
    /** Connections that are open now never answer again; new ones do. */
    hang(): void {
      for (const upstream of open) upstream.unpipe().pause();
      open = [];
    },
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
