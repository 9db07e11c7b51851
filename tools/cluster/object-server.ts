import { fileURLToPath } from "node:url";
import {
  killProcess,
  type StartedServer,
  startProcess,
} from "../../packages/distributed/test/start-process.ts";
import { freePort } from "../../test/helpers/free-port.ts";

const PROGRAM = fileURLToPath(new URL("./s3-server.mjs", import.meta.url));

/** Variables of the environment by which commands sign in to the server of objects. */
export const OBJECT_CREDENTIALS = { AWS_ACCESS_KEY_ID: "tester", AWS_SECRET_ACCESS_KEY: "open sesame/7" };

/** Starts a server of objects of S3 that keeps them in a folder; its address is that of a storage. */
export async function startObjects(folder: string): Promise<StartedServer> {
  const port = await freePort();
  const start = () =>
    startProcess(process.execPath, [PROGRAM, folder, String(port)], { ready: /Ready to accept connections/ });
  let child = await start();
  return {
    url: new URL(`s3://isthmus/tests?endpoint=http://127.0.0.1:${port}`),
    pid: () => Number(child.pid),
    kill: () => killProcess(child),
    async restart() {
      child = await start();
    },
    stop: () => killProcess(child),
  };
}
