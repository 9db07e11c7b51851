/** Lists names of clients that sort as their numbers do: `client-00`, `client-01` and so on. */
export function listClients(count: number): readonly string[] {
  const digits = String(count - 1).length;
  return Array.from({ length: count }, (_, client) => `client-${String(client).padStart(digits, "0")}`);
}
