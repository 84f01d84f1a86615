/** Where state, drawing and the address bar are joined. */
import "../shared/tokens.css";
import "../shared/base.css";
import "../shared/recording.css";
import "../shared/still.css";
import "./enter/enter.css";
import "./site/site.css";
import "./desk/desk.css";
import "./desk/links.css";
import "./desk/recordings.css";
import "./desk/steps.css";
import "./wall/wall.css";
import { render } from "preact";
import { language } from "../shared/i18n";
import { Home } from "./enter/home";
import { MeetingPage } from "./enter/meeting";

const MEETING = /^\/m\/([^/]+)\/?$/;

function App() {
  const meeting = MEETING.exec(location.pathname)?.[1];
  return meeting === undefined ? <Home /> : <MeetingPage meeting={decodeURIComponent(meeting)} />;
}

document.documentElement.lang = language.get();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);

// Another link pasted into the same window differs in its fragment only: begin anew with it.
window.addEventListener("hashchange", () => location.reload());
