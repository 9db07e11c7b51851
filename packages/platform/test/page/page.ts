import { drawBarrier } from "./work.ts";

// The page itself draws, too: it has a document, which its worker lacks.
Object.assign(globalThis, { drawBarrier });
