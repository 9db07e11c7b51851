export { type OpenThreadsOptions, openThreads, type ThreadSort } from "./open-threads.ts";
