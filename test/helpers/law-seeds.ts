import fc from "fast-check";

// Runs before every test file: on CI, laws are tried on the same cases at every run, so that a commit passes or fails by what it changed.
// Elsewhere each run tries new cases, and a failure prints the seed that repeats it.
if (process.env["CI"]) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_130 });
