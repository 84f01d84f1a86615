/** Logging in with an account, on every page that asks for one. */
import { useState } from "preact/hooks";
import { useT } from "./i18n";
import { codeOf } from "./problem";
import { refusal } from "./refusal";
import * as rest from "./rest";
import type { SessionAnswer } from "./wire";

interface Props {
  readonly onDone: (session: SessionAnswer) => void;
  readonly aside: string;
}

export function LogIn({ onDone, aside }: Props) {
  const t = useT();
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setWaiting(true);
    setProblem(null);
    rest.logIn(String(form.get("name")), String(form.get("password"))).then(onDone, (error: unknown) => {
      setWaiting(false);
      setProblem(codeOf(error));
    });
  };

  return (
    <form class="sheet" onSubmit={submit} data-testid="login">
      <h1>{t("login.title")}</h1>
      <div class="field">
        <label for="name">{t("login.name")}</label>
        <input id="name" name="name" class="input" autocomplete="username" autocapitalize="off" required autofocus />
      </div>
      <div class="field">
        <label for="password">{t("login.password")}</label>
        <input id="password" name="password" type="password" class="input" autocomplete="current-password" required />
      </div>
      <p class="notice bad" role="alert" hidden={problem === null}>
        {problem === null ? "" : refusal(t, problem)}
      </p>
      <button class="btn primary" type="submit" disabled={waiting}>
        {waiting ? t("login.wait") : t("login.submit")}
      </button>
      <p class="aside">{aside}</p>
    </form>
  );
}
