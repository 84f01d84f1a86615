/** Where the fleet's state, drawing and address bar are joined. */
import "../shared/tokens.css";
import "../shared/base.css";
import "./fleet.css";
import "./shell.css";
import "./ui/ui.css";
import "./ui/table.css";
import { render } from "preact";
import { language } from "../shared/i18n";
import { App } from "./app";
import { startRouter } from "./router";

document.documentElement.lang = language.get();
startRouter();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
