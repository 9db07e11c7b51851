#!/usr/bin/env node
// Sets the exit code and returns, so that what was written to a pipe arrives whole.
const { main } = await import("@isthmus/cli");
process.exitCode = await main(process.argv.slice(2));
