import { assets } from "./assets.ts";
import { startLab } from "./lab/lab.ts";
import { keepForOffline } from "./offline/keep-for-offline.ts";
import { forgetColors } from "./shell/colors.ts";
import { startComputer } from "./shell/computer.ts";
import { startCopyButtons } from "./shell/copy.ts";
import { startTabs } from "./shell/tabs.ts";
import { startTheme } from "./shell/theme.ts";
import { startStory } from "./story/story.ts";

const computer = startComputer(assets.worker);
const story = startStory(computer, keepForOffline);
startTheme(() => {
  forgetColors();
  story.redraw();
});
startTabs();
startCopyButtons();
startLab();
