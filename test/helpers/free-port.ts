import { once } from "node:events";
import { createServer } from "node:net";

/** Returns a port of this machine that is free now, so that a server can come back at it. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
