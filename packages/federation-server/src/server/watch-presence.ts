import { entry } from "@isthmus/core";
import { presentClients } from "@isthmus/federated";
import type { Federation } from "./running-federation.ts";

/** Share of the time of presence after which presences are looked at again. */
const LOOKS = 4;

/** Knows when clients were heard of. */
export interface Presence {
  attend(client: string): () => void;
  close(): void;
}

/**
 * Lets clients leave that were not heard of for some time, and have no request open; clients of before a
 * restart have time to come back.
 */
export function watchPresence(federation: Federation): Presence {
  const { now } = federation;
  const most = federation.config.limits.presenceSeconds * 1000;
  const heard = new Map<string, number>();
  const open = new Map<string, number>();
  for (const client of presentClients(federation.state)) heard.set(client, now());
  const look = (): void => {
    for (const client of presentClients(federation.state)) {
      if (open.has(client)) continue;
      if (now() - entry(heard, client, "client that is there") <= most) continue;
      // What cannot be journaled was told to whoever runs the server.
      federation.happen({ kind: "client-left", client }).catch(() => undefined);
    }
  };
  const looking = setInterval(look, most / LOOKS);
  looking.unref();
  return {
    attend(client) {
      heard.set(client, now());
      open.set(client, (open.get(client) ?? 0) + 1);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        heard.set(client, now());
        const others = entry(open, client, "client with an open request") - 1;
        if (others > 0) open.set(client, others);
        else open.delete(client);
      };
    },
    close: () => clearInterval(looking),
  };
}
