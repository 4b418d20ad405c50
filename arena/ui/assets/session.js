// For somebody who is signed in, on every page: as what, the way to the host's page, and the way out.
"use strict";
(() => {
  const roles = document.getElementById("bakeoff-session").dataset.roles.split(" ");
  bakeoff.present("header.top").then((header) => {
    const { t, post } = bakeoff;
    const line = document.createElement("span");
    line.className = "session";

    const who = document.createElement("span");
    const names = roles.map((role) => t(`role.${role}`));
    who.textContent = t("login.as", { role: new Intl.ListFormat(bakeoff.language).format(names) });
    line.append(who);

    if (roles.includes("host") && !location.pathname.endsWith("/host")) {
      const host = document.createElement("a");
      host.href = "./host";
      host.textContent = t("nav.host");
      line.append(host);
    }
    const out = document.createElement("button");
    out.type = "button";
    out.textContent = t("login.sign_out");
    out.addEventListener("click", async () => {
      const { status, data } = await post("./api/logout", {});
      if (status === 200) location.assign(data.to);
      else who.textContent = t("login.no_answer");
    });
    line.append(out);
    header.append(line);
  });
})();
