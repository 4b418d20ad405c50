"""How the parameters of a model enter each row of comparisons: all linear algebra of the fits stands here, once.

A model's outcome probabilities depend on a few *predictors* per row (see `ratings.likelihood`): for most models the
first is the difference of two strengths, plus covariates times coefficients; a few use the two strengths separately.
The parameters are, in this order, the n_items strengths, the coefficients of the covariates, and the model's own
parameters (`extras`, such as how often ties happen). `Design` maps parameters to predictors and carries derivatives
back, without ever writing down the sparse matrix in between.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons

Floats = NDArray[np.float64]

_ROWS_AT_ONCE = 2**13
"""Of a product of two tall and narrow matrices: few enough to stay in a processor's cache, and for BLAS to go the
quick way that it has where there is little to multiply."""


@dataclass(frozen=True, eq=False)
class Design:
    """The linear map J of each row: predictors = J @ parameters.

    With `is_difference` the predictors of a row are (strength of first - strength of second + covariates @
    coefficients, extras ...), otherwise (strength of first, strength of second, extras ...) and covariates are not
    possible. Arrays over predictors have shape (n_predictors, n_rows).
    """

    comparisons: Comparisons
    is_difference: bool
    n_extras: int

    @property
    def n_items(self) -> int:
        """How many strengths there are."""
        return self.comparisons.n_items

    @property
    def n_covariates(self) -> int:
        """How many coefficients there are."""
        covariates = self.comparisons.covariates
        return 0 if covariates is None else covariates.shape[1]

    @property
    def n_parameters(self) -> int:
        """Strengths, coefficients and extras."""
        return self.n_items + self.n_covariates + self.n_extras

    @property
    def _n_leading(self) -> int:
        return 1 if self.is_difference else 2

    def predictors(self, parameters: Floats) -> Floats:
        """J @ parameters, shape (n_predictors, n_rows)."""
        first, second = self.comparisons.first, self.comparisons.second
        strengths, coefficients, extras = np.split(parameters, (self.n_items, self.n_items + self.n_covariates))
        found = np.empty((self._n_leading + self.n_extras, len(first)))
        if self.is_difference:
            np.subtract(strengths[first], strengths[second], out=found[0])
            if self.n_covariates:
                found[0] += coefficients @ self._columns
        else:
            found[0], found[1] = strengths[first], strengths[second]
        found[self._n_leading :] = extras[:, np.newaxis]
        return found

    def push(self, vectors: Floats, which: NDArray[np.int64]) -> Floats:
        """J @ vectors[which[row]] for each row: `vectors` has shape (n_vectors, n_parameters)."""
        first, second = self.comparisons.first, self.comparisons.second
        pushed = np.empty((self._n_leading + self.n_extras, len(first)))
        flat, start = np.ascontiguousarray(vectors).reshape(-1), which * self.n_parameters
        if self.is_difference:
            np.subtract(flat[start + first], flat[start + second], out=pushed[0])
            if self.n_covariates:
                for k, column in enumerate(self._columns, self.n_items):
                    pushed[0] += column * vectors[:, k][which]
        else:
            pushed[0], pushed[1] = flat[start + first], flat[start + second]
        for k in range(self.n_extras):
            pushed[self._n_leading + k] = flat[start + self.n_items + self.n_covariates + k]
        return pushed

    def pull(self, slopes: Floats) -> Floats:
        """The gradient over the parameters, shape (n_parameters,), of `slopes` over predictors."""
        if not self.is_difference:
            return self.pull_by(slopes, np.zeros(len(self.comparisons.first), dtype=np.int64), 1)[0]
        more = [self._columns @ slopes[0]] if self.n_covariates else []
        return np.concatenate((self._up_and_down(slopes[0]), *more, slopes[1:].sum(axis=1)))

    def pull_by(self, slopes: Floats, which: NDArray[np.int64], n_groups: int) -> Floats:
        """The gradients of groups of rows, shape (n_groups, n_parameters); `which` names the group of each row."""
        first, second = self.comparisons.first, self.comparisons.second
        up, down = (slopes[0], -slopes[0]) if self.is_difference else (slopes[0], slopes[1])
        n, width = self.n_items, self.n_items + self.n_covariates
        strengths = np.bincount(which * n + first, weights=up, minlength=n_groups * n)
        strengths += np.bincount(which * n + second, weights=down, minlength=n_groups * n)
        pulled = np.empty((n_groups, self.n_parameters))
        pulled[:, :n] = strengths.reshape(n_groups, n)
        for k in range(self.n_covariates):
            pulled[:, n + k] = np.bincount(which, weights=slopes[0] * self._columns[k], minlength=n_groups)
        for k in range(self.n_extras):
            pulled[:, width + k] = np.bincount(which, weights=slopes[self._n_leading + k], minlength=n_groups)
        return pulled

    def information(self, curvature: Floats) -> Floats:
        """The sum of J' C J over rows, shape (n_parameters, n_parameters); C = curvature[:, :, row] is symmetric."""
        n, lead = self.n_items, self._n_leading
        total = np.zeros((self.n_parameters, self.n_parameters))
        if self.is_difference:
            upper = self._by_pair(curvature[0, 0])
            on_diagonal = upper.sum(axis=0) + upper.sum(axis=1)
            total[:n, :n] = -upper - upper.T
        else:
            upper = self._by_pair(curvature[0, 1])
            on_diagonal = self._by_item(curvature[0, 0], curvature[1, 1])
            total[:n, :n] = upper + upper.T
        total[np.arange(n), np.arange(n)] += on_diagonal

        covariates = slice(n, n + self.n_covariates)
        if self.n_covariates:
            weighted = self._columns * curvature[0, 0]
            for k, column in enumerate(weighted, n):
                total[:n, k] = total[k, :n] = self._up_and_down(column)
            total[covariates, covariates] = _products(self._columns, weighted)
        for k in range(self.n_extras):
            at = n + self.n_covariates + k
            up = curvature[0, lead + k]
            by_item = self._up_and_down(up) if self.is_difference else self._by_item(up, curvature[1, lead + k])
            total[:n, at] = by_item
            if self.n_covariates:
                total[covariates, at] = self._columns @ up
            total[at, :at] = total[:at, at]
            for j in range(k + 1):
                total[at, n + self.n_covariates + j] = curvature[lead + j, lead + k].sum()
                total[n + self.n_covariates + j, at] = total[at, n + self.n_covariates + j]
        return total

    def spread(self, covariance: Floats) -> Floats:
        """J V J' of each row, shape (n_predictors, n_predictors, n_rows), for a symmetric V over the parameters."""
        first, second = self.comparisons.first, self.comparisons.second
        n, lead = self.n_items, self._n_leading
        own = np.diagonal(covariance)
        of_first, of_second = own[first], own[second]
        of_both = covariance.reshape(-1)[first * self.n_parameters + second]
        result = np.empty((lead + self.n_extras, lead + self.n_extras, len(first)))
        if self.is_difference:
            result[0, 0] = of_first + of_second - 2 * of_both
            if self.n_covariates:
                at = slice(n, n + self.n_covariates)
                of_covariates = covariance[at, at] @ self._columns
                for k, column in enumerate(self._columns):
                    cross = 2 * covariance[:n, n + k]
                    of_covariates[k] += cross[first]
                    of_covariates[k] -= cross[second]
                    of_covariates[k] *= column
                result[0, 0] += of_covariates.sum(axis=0)
        else:
            result[0, 0], result[1, 1], result[0, 1], result[1, 0] = of_first, of_second, of_both, of_both
        for k in range(self.n_extras):
            at = n + self.n_covariates + k
            column = covariance[:, at]
            if self.is_difference:
                result[0, 1 + k] = column[first] - column[second]
                if self.n_covariates:
                    result[0, 1 + k] += column[n : n + self.n_covariates] @ self._columns
            else:
                result[0, 2 + k], result[1, 2 + k] = column[first], column[second]
            result[lead + k, :lead] = result[:lead, lead + k]
            for j in range(self.n_extras):
                result[lead + k, lead + j] = covariance[at, n + self.n_covariates + j]
        return result

    def _by_pair(self, values: Floats) -> Floats:
        """The sum of a value over the rows of each pair, (n_items, n_items), with first < second."""
        return np.bincount(self._pair, values, self.n_items**2).astype(np.float64).reshape(self.n_items, self.n_items)

    def _up_and_down(self, values: Floats) -> Floats:
        """The sum over the rows of each item, (n_items,), of a value where it is first, minus it where second."""
        if self.n_items**2 > len(values):
            return self._by_item(values, -values)
        by_pair = self._by_pair(values)  # one count instead of two, where pairs are fewer than rows
        return by_pair.sum(axis=1) - by_pair.sum(axis=0)

    def _by_item(self, of_first: Floats, of_second: Floats) -> Floats:
        """The sum over the rows of each item, (n_items,), of one value where it is first and another where second."""
        first, second, n = self.comparisons.first, self.comparisons.second, self.n_items
        return (np.bincount(first, of_first, n) + np.bincount(second, of_second, n)).astype(np.float64)

    @cached_property
    def _pair(self) -> NDArray[np.int64]:
        return self.comparisons.first * self.n_items + self.comparisons.second

    @property
    def _columns(self) -> Floats:
        """The covariates, (n_covariates, n_rows)."""
        covariates = self.comparisons.covariates
        assert covariates is not None  # noqa: S101 - asked for only where n_covariates > 0
        return covariates.T


def _products(rows: Floats, others: Floats) -> Floats:
    """rows @ others.T, of few and long rows."""
    starts = range(0, rows.shape[1], _ROWS_AT_ONCE)
    parts = [rows[:, start : start + _ROWS_AT_ONCE] @ others[:, start : start + _ROWS_AT_ONCE].T for start in starts]
    return np.sum(parts, axis=0, initial=0.0)
