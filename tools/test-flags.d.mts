/** Flags of Node.js for processes that run tests. */
export const TEST_FLAGS: readonly string[];
