import { createLab } from "./lab/create-lab.ts";
import { serveRequests } from "./serve-requests.ts";

serveRequests(self as unknown as DedicatedWorkerGlobalScope, createLab());
