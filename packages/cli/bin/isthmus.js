#!/usr/bin/env node
// Sets the exit code and returns, so that what was written to a pipe arrives whole.
const { main } = await import("../dist/main.js").catch((error) => {
  if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
  process.stderr.write(
    `isthmus: Cannot start as the packages must be built: run "npm run setup" first (${error.message})\n`,
  );
  process.exit(2);
});
process.exitCode = await main(process.argv.slice(2));
// A server that is away may keep a connection open for ever; a process with nothing left to do ends before this.
setTimeout(() => process.exit(), 5000).unref();
