import { serveRequests } from "./serve-requests.ts";
import { createStory } from "./story/create-story.ts";

serveRequests(self as unknown as DedicatedWorkerGlobalScope, { ...createStory() });
