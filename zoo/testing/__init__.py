"""The contract as a test suite: one line checks a plugin, wherever it lives.

    test_contract = zoo.testing.contract("my_gan.py", stack="dcgan+my_gan", shapes=[(28, 28, 1)])

pytest makes one test of each check on each shape; `check_plugin` runs them all without pytest.

suite.py         `contract` and `check_plugin`
subject.py       what is checked: a stack on tiny random data, trained once for all checks
checks.py        what must hold, one function each
differences.py   gradients against finite differences
keeping.py       an optimizer that moves nothing and keeps the gradients
"""

from zoo.testing.suite import check_plugin, contract

__all__ = ["check_plugin", "contract"]
