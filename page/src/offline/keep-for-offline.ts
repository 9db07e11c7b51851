import { find } from "../shell/dom.ts";

/** Lets the service worker keep the page for use without a network, and says once that it has. */
export async function keepForOffline(): Promise<void> {
  // Pages that are not served securely, or browsers that keep nothing, have no service workers.
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI));
    await navigator.serviceWorker.ready;
    find("offline", HTMLElement).textContent = "It is kept on this machine now.";
  } catch {
    // The page works all the same as long as there is a network.
  }
}
