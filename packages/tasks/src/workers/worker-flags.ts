import { process } from "@isthmus/platform";
/**
 * Returns the flags of Node for threads and processes, if they must differ from the flags of this process: a
 * program that is given on the command line has a flag for its type, which Node refuses for a file.
 */
export function workerFlags(): { readonly execArgv?: string[] } {
  const flags = process.execArgv;
  if (!flags.some((flag) => flag.startsWith("--input-type"))) return {};
  return { execArgv: flags.filter((flag) => flag.startsWith("--conditions=")) };
}
