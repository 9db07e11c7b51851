import { entry } from "@isthmus/core";
import { presentClients } from "@isthmus/federated";
import type { Federation } from "./running-federation.ts";

/** Number of checks of presence within the time after which a client counts as gone. */
const LOOKS = 4;

/** Record of the requests of clients, from which their presence follows. */
export interface Presence {
  /** Notes that a request of a client began; the function returned notes that it ended. */
  attend(client: string): () => void;
  /** Stops the checks of presence. */
  close(): void;
}

/**
 * Lets clients leave that have sent no request for some time and have none open; clients from before a
 * restart have the same time to come back.
 */
export function watchPresence(federation: Federation): Presence {
  const { now } = federation;
  const { presenceSeconds: silentSeconds } = federation.config.limits;
  const most = silentSeconds * 1000;
  const heard = new Map<string, number>();
  const open = new Map<string, number>();
  for (const client of presentClients(federation.state)) heard.set(client, now());
  const look = (): void => {
    for (const client of presentClients(federation.state)) {
      if (open.has(client)) continue;
      if (now() - entry(heard, client, "client that is there") <= most) continue;
      // An error of the journal is already reported by `onFatal`.
      federation.happen({ kind: "client-left", client, silentSeconds }).catch(() => undefined);
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
