import Portkey from 'portkey-ai';

// Set a default AI Provider for the client
const portkey = new Portkey({
    apiKey: process.env.PORTKEY_API_KEY,
    provider:"@YOUR_AI_PROVIDER_SLUG"
//  provider: "@YOUR_AI_PROVIDER_SLUG"
});

// Or, override it for a specific call
const chatCompletion = await portkey.chat.completions.create({
    messages: [{ role: 'user', content: 'Say this is a test' }],
    model: 'gpt-3.5-turbo',
}, { provider:"@ANOTHER_AI_PROVIDER_SLUG" });
