import { COMMANDS } from "./commands.ts";

interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The worker's own scope, of which the types of Node.js know nothing. */
const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: Request }) => void;
  postMessage(message: object): void;
};

const commands = new Map<string, (...args: never[]) => unknown>(Object.entries(COMMANDS));

scope.onmessage = async ({ data: { id, name, args } }) => {
  try {
    const value = await commands.get(name)?.(...(args as never[]));
    scope.postMessage({ id, value });
  } catch (error) {
    const { name: kind, message, code } = error as Error & { readonly code?: string };
    scope.postMessage({ id, error: { kind, message, code } });
  }
};
