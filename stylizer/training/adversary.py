"""The critic's side of an adversarial run: its network, its optimiser, its turn, and what it asks of the generator.

The critic sees a picture together with the damaged one it comes from (six channels). Everything random is a function of
the seed and the step, so that a run with a critic resumes as exactly as one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stylizer.models.discriminators import DISCRIMINATORS
from stylizer.training import adversarial, losses
from stylizer.training.augment import augment
from stylizer.training.config import Adversary as Settings
from stylizer.training.team import ALONE, Team


class Adversary:
    """A critic in training. `weight(step)` is what its verdict counts in the generator's loss at a step."""

    def __init__(self, settings: Settings, *, seed: int, device: torch.device, channels: int = 6) -> None:
        self.settings, self.seed = settings, seed
        network = DISCRIMINATORS[settings.critic](width=settings.width, channels=channels)
        self.network: nn.Module = network.to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.game = adversarial.GAMES[settings.loss]
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=settings.rate, betas=(settings.beta, 0.99), weight_decay=0.0
        )

    def weight(self, step: int) -> float:
        """Zero while the critic learns alone, then rising: a young critic has nothing to teach."""
        begun = step - self.settings.start - self.settings.alone
        return self.settings.weight * min(1.0, max(0.0, begun / max(1, self.settings.ramp)))

    def active(self, step: int) -> bool:
        return step >= self.settings.start

    def turn(
        self, step: int, damaged: Tensor, fake: Tensor, real: Tensor, mask: Tensor, team: Team = ALONE
    ) -> dict[str, float]:
        """One step of the critic; returns its loss and how often it is right about real and made pictures."""
        self.network.train().requires_grad_(True)
        seen, places = self._seen(step, damaged, fake.detach(), real, mask)
        # One pass for both: normalisation by batch must not tell them apart.
        made, true = self.network(seen).chunk(2)
        loss = self.game.critic(true, made, places)
        every = self.settings.r1_every
        if self.settings.r1 and step % every == 0:
            loss = loss + self.settings.r1 * every * adversarial.r1(self.network, seen.chunk(2)[1])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        team.average_gradients(self.network.parameters())
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        with torch.no_grad():
            right = 0.5 * ((true > made.mean()).float().mean() + (made < true.mean()).float().mean())
        return {"critic": float(loss.detach()), "critic_right": float(right)}

    def verdict(self, step: int, damaged: Tensor, fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
        """What the generator is to minimise: a scalar through which its gradient flows."""
        self.network.requires_grad_(False)
        seen, places = self._seen(step, damaged, fake, real, mask)
        made, true = self.network(seen).chunk(2)
        return self.game.generator(true.detach(), made, places)

    def _seen(
        self, step: int, damaged: Tensor, fake: Tensor, real: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Made pictures, then real ones, (2 B, 6, H, W), and where the game is played (B, 1, H, W).

        That is inside the true damage, and a little everywhere.
        """
        places = losses.around(mask, outside=self.settings.outside)
        made, true = torch.cat([fake, damaged], 1), torch.cat([real, damaged], 1)
        # The same changes for a picture and its original: what differs between them is only what was made.
        seed, kinds = (self.seed * 7_000_003 + step) % 2**62, self.settings.augment
        true, _ = augment(true, places, kinds, seed=seed)
        made, places = augment(made, places, kinds, seed=seed)
        return torch.cat([made, true]), None if self.settings.outside >= 1 else places

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.network.load_state_dict(saved["network"])
        self.optimiser.load_state_dict(saved["optimiser"])


class Unpaired(Adversary):
    """A critic of single pictures: real ones are of the style, made ones are of no content it knows."""

    def __init__(self, settings: Settings, *, seed: int) -> None:
        super().__init__(settings, seed=seed, device=torch.device("cpu"), channels=3)

    def _seen(
        self, step: int, damaged: Tensor, fake: Tensor, real: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        both = torch.cat([fake, real])
        seed = (self.seed * 7_000_003 + step) % 2**62
        seen, _ = augment(both, torch.ones_like(both[:, :1]), self.settings.augment, seed=seed)
        return seen, None
