import { messageOf } from "@isthmus/core";

/**
 * Describes what is installed: the version of Isthmus, and the library that graphs run on by default, or why
 * there is none. It is two lines of text, or an object that also has the version of Node.js.
 */
export async function describeVersion(version: string, { json }: { json: boolean }): Promise<string> {
  const { describeOnnxRuntime } = await import("@isthmus/engine");
  const engine = await describeOnnxRuntime().catch((error) => `no engine: ${messageOf(error)}`);
  return json ? JSON.stringify({ version, node: process.versions.node, engine }) : `${version}\n${engine}`;
}
