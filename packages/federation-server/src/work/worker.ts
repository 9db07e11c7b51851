import { serveTasks } from "@isthmus/tasks";
import { doWork } from "./work.ts";

serveTasks((assignment, { signal }) => doWork(assignment, signal));
