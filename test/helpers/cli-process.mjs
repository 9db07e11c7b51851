// A process that runs one command line after the other, as it starts only once; run-cli.ts talks to it.
// It is JavaScript, as Node.js 20 runs no TypeScript, and it loads the command as it was built.
import { Writable } from "node:stream";
import { main } from "../../packages/cli/dist/main.js";

const home = process.cwd();
const environment = { ...process.env };

/** Puts a stream in place of one of the process; what is written to it is kept and returned. */
function capture(name) {
  const texts = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text, _, done) {
      texts.push(text);
      done();
    },
  });
  Object.defineProperty(process, name, { value: stream, configurable: true });
  return () => texts.join("");
}

/** Makes the environment of this process equal to that of the one which asks. */
function setEnvironment(env) {
  const wanted = { ...environment, ...env };
  for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name];
  Object.assign(process.env, wanted);
}

process.on("message", async ({ args, cwd, env, stop }) => {
  if (stop) return process.emit("SIGTERM", "SIGTERM");
  const [stdout, stderr] = ["stdout", "stderr"].map(capture);
  setEnvironment(env);
  process.chdir(cwd ?? home);
  const code = await main(args);
  // Tests remove their folders, and no process should be in one then.
  process.chdir(home);
  process.send({ code, stdout: stdout(), stderr: stderr() });
});
process.on("disconnect", () => process.exit());
