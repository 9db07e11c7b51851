/**
 * Returns a message of a server or a client without full stops at its end, as more of the sentence may
 * follow.
 */
export function withoutStop(message: string): string {
  return message.replace(/[\s.]+$/, "");
}
