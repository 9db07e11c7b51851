/**
 * Makes a stand-in for a function of Node.js that a page does not have: whoever calls it gets an error.
 * @param what - what the function is for, in the plural
 */
export function absent<T>(what: string): T {
  const refuse = (): never => {
    throw new Error(`Cannot use ${what} as the program must run in Node.js: it runs in a browser`);
  };
  return new Proxy(function missing() {}, { apply: refuse, construct: refuse, get: refuse }) as T;
}
