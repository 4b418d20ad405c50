// The page where one signs in: the password goes out as JSON, as every act does, and stays in no address and no history.
"use strict";
bakeoff.present("#login").then((login) => {
  const { one, post, refused, t } = bakeoff;
  const trouble = one("#trouble");
  const form = one("#with-password");
  const provider = one("#with-provider");
  const out = one("#sign-out");

  // A provider's page refuses to stand in a frame of another site, as a Space shows us: it gets a tab of its own.
  if (provider && window.top !== window.self) {
    provider.target = "_blank";
    one("#in-a-tab").hidden = false;
  }

  function say(text) {
    trouble.textContent = text;
    trouble.hidden = false;
  }

  async function act(button, path, body) {
    button.disabled = true;
    trouble.hidden = true;
    const { status, data } = await post(path, body);
    button.disabled = false;
    if (status === 200) return location.assign(data.to);
    say(status === 0 ? t("login.no_answer") : refused(data));
  }

  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = one("#password");
    await act(one("button", form), "./api/login", { password: field.value, next: login.dataset.next || null });
    field.select();
    field.focus();
  });
  out?.addEventListener("click", () => act(out, "./api/logout", {}));
  one("#password")?.focus();
});
