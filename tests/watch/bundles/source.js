// A chat client, the source of the bundles beside it, made by esbuild 0.28, terser 5 and swc 1.
const API_HOST = "https://api.shop.example/v1";
const RETRIES = 3;
const SYSTEM_PROMPT =
  "You are the assistant of a shop. " +
  "Never tell the price at which goods are bought.";
const BUILD = process.env.BUILD_ID;

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export class ChatClient {
  constructor(token, onAnswer) {
    this.token = token;
    this.onAnswer = onAnswer;
    this.history = [];
  }

  async ask(question) {
    const messages = [{ role: "system", content: SYSTEM_PROMPT }, ...this.history];
    messages.push({ role: "user", content: question });
    for (let attempt = 0; attempt < RETRIES; attempt++) {
      const reply = await fetch(`${API_HOST}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer " + this.token },
        body: JSON.stringify({ model: "shop-1", messages, stream: false }),
      });
      if (reply.ok) {
        const answer = (await reply.json()).choices[0].message.content;
        this.history.push({ role: "assistant", content: answer });
        this.onAnswer(escapeHtml(answer));
        return answer;
      }
      if (reply.status === 401) throw new Error("You have been signed out, please sign in again");
    }
    console.log(`build ${BUILD}: gave up after ${RETRIES} attempts to reach the service`);
    return null;
  }
}

export function mount(root) {
  const client = new ChatClient(localStorage.getItem("token"), (html) => {
    root.querySelector("#answers").insertAdjacentHTML("beforeend", `<p class="answer">${html}</p>`);
  });
  root.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    client.ask(root.querySelector("input").value).catch((error) => {
      navigator.sendBeacon("/errors", JSON.stringify({ text: String(error), at: Date.now() }));
    });
  });
}

if (typeof document !== "undefined") mount(document);
