import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { packPackages } from "../../tools/pack-packages.mjs";
import { makeForThisMachine } from "../../tools/runtime-packages/make.mjs";

/** Folder in which a user has installed the packages from their tarballs. */
export interface PublishedFolder {
  /** Holds everything below; to be removed by the caller. */
  readonly base: string;
  /** Where the user works. */
  readonly folder: string;
  /** Paths of the tarballs by the name of their package. */
  readonly tarballs: ReadonlyMap<string, string>;
  /** Folders of the packages of onnxruntime, to which links lead, by name. */
  readonly libraries: ReadonlyMap<string, string>;
  /** Runs a command there; never throws. */
  readonly run: (command: string, ...args: string[]) => Promise<Run>;
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What npm says where the registry cannot be reached. */
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b/;

/**
 * Packs every package and installs the tarballs outside the repository, with Node and npm but no compiler to be found.
 * @returns the folder, or why the registry of npm could not be reached
 */
export async function installPublished(): Promise<
  PublishedFolder | { readonly unreachable: string; readonly base: string }
> {
  const base = mkdtempSync(join(tmpdir(), "isthmus-published-"));
  const folder = join(base, "work");
  for (const name of ["work", "bin"]) mkdirSync(join(base, name));
  const env = userEnvironment(join(base, "bin"));
  const run = (command: string, ...args: string[]) => execute(command, args, { cwd: folder, env });

  const tarballs = findTarballs(packPackages());
  // Folders, as to pack and unpack libraries takes most of the time.
  const libraries = await makeForThisMachine(join(base, "libraries"));
  writeFileSync(join(folder, "package.json"), JSON.stringify(describeUser(tarballs, libraries)));
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"];
  const installed = await run("npm", "install", ...flags);
  const said = UNREACHABLE.exec(installed.stderr);
  if (said !== null) return { unreachable: said[0], base };
  if (installed.code !== 0) throw new Error(`Cannot install the tarballs: ${installed.stderr}`);
  return { base, folder, tarballs, libraries, run };
}

/** Maps names of packages to their tarballs: `isthmus-core-0.1.0.tgz` is of `@isthmus/core`. */
function findTarballs(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(folder).map((file) => {
      const name = file.replace(/-\d+\.\d+\.\d+\.tgz$/, "").replace(/^isthmus-/, "@isthmus/");
      return [name, join(folder, file)];
    }),
  );
}

/** Describes a project that depends on the umbrella; what that depends on comes from tarballs and folders, too. */
function describeUser(...made: readonly ReadonlyMap<string, string>[]): object {
  const files = made.flatMap((paths) => [...paths]).map(([name, path]) => [name, `file:${path}`] as const);
  const isUmbrella = ([name]: readonly [string, string]) => name === "isthmus";
  return {
    private: true,
    type: "module",
    dependencies: Object.fromEntries(files.filter(isUmbrella)),
    overrides: Object.fromEntries(files.filter((entry) => !isUmbrella(entry))),
  };
}

/** Environment of a user: the registry and cache of this machine, but no program beyond Node, npm and a shell, and no variable of a run of npm. */
function userEnvironment(bin: string): NodeJS.ProcessEnv {
  const beside = dirname(process.execPath);
  const programs = {
    node: process.execPath,
    npm: join(beside, "npm"),
    npx: join(beside, "npx"),
    sh: "/bin/sh",
  };
  for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(bin, name));
  const ofRun = /^(npm_(package|lifecycle|command|config_local_prefix|config_prefix)|INIT_CWD|NODE_|VITEST)/i;
  const entries = Object.entries(process.env).filter(([name]) => !ofRun.test(name));
  return { ...Object.fromEntries(entries), PATH: bin };
}

async function execute(
  command: string,
  args: readonly string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 1 << 26 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    return { code: typeof code === "number" ? code : 1, stdout, stderr: stderr || String(error) };
  }
}
