// Flags of Node.js for processes that run tests, which do thousands of different things for a moment each.

/**
 * Three things of V8 took a third of the processor time of tests: threads that collect garbage together and wait for each other, code
 * that is optimized though few calls follow, and a small nursery, out of which objects are copied before they die. So one thread
 * collects, a function is optimized after ten times the work, and the nursery is large from the start.
 */
export const TEST_FLAGS = [
  "--single-threaded-gc",
  // Node 22 does not start with this one, which its V8 no longer has.
  ...(Number.parseInt(process.versions.node, 10) < 22 ? ["--interrupt-budget=660000"] : []),
  "--min-semi-space-size=16",
  "--max-semi-space-size=32",
];
